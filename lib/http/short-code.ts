/** Error codes are short words; anything longer might carry a piece of the request. */
export function shortCode(error: unknown): string | undefined {
  const { code, name, errors } = error as { code?: unknown; name?: unknown; errors?: unknown[] };
  const candidate = code ?? (errors?.[0] as { code?: unknown } | undefined)?.code ?? name;
  return typeof candidate === 'string' && /^\w{2,40}$/.test(candidate) ? candidate : undefined;
}
