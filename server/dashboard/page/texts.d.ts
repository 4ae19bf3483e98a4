/** What is imported `with { type: "text" }`: https://bun.com/docs/bundler/loaders#text, the same on Deno. */

declare module "*.css" {
  const text: string;
  export default text;
}

declare module "*.js" {
  const text: string;
  export default text;
}
