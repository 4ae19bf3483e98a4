/** What is imported `with { type: "text" }`: https://bun.com/docs/bundler/loaders#text, the same on Deno. */

declare module "*.md" {
  const text: string;
  export default text;
}

declare module "*/LICENSE" {
  const text: string;
  export default text;
}
