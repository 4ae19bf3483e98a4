export function normalQuantization(name: string): string {
  return name.toLowerCase();
}
