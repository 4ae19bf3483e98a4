/** Changes an answer's body while it passes. What it does not change passes as it came; all stays in order. */
export interface BodyChange {
  /** What may pass now that this chunk has come. The chunk may still be in use when this returns. */
  data(chunk: Uint8Array): Uint8Array[];
  /** The body is complete: what was kept back of it. */
  end(): Uint8Array[];
  /** The body broke off: what was kept back of it, unchanged. */
  cut(): Uint8Array[];
}

export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

const encoder = new TextEncoder();

/**
 * JSON with a member, `"name":value`, put before the brace at `at`, in pieces of which none is empty. `before`: the
 * last byte in front of that brace that is no space.
 */
export function withMember(
  json: Uint8Array,
  { at, before, member }: { at: number; before: number | undefined; member: string },
): Uint8Array[] {
  const added = encoder.encode(before === OPEN_BRACE ? member : `,${member}`);
  return [json.subarray(0, at), added, json.subarray(at)].filter(({ length }) => length > 0);
}
