/** Tells those who wait what is being done; not part of the report. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
