/**
 * Whether a name in a preference means this provider: a base name (`home`) all of its variants too, a name with a
 * variant (`home/4090`) that one only. Case counts.
 */
export function namesProvider(name: string, provider: string): boolean {
  if (name === provider) return true;
  return provider.startsWith(name) && provider[name.length] === "/" && !name.includes("/");
}

/** Whether one of the names does. */
export function isNamed(names: readonly string[], provider: string): boolean {
  for (const name of names) if (namesProvider(name, provider)) return true;
  return false;
}
