/** A cell that is put to the right of its column. */
const NUMBER = /^(<= )?\d/;

/** Rows as indented lines, with the cells of a column below each other; headings go with the cells below. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] ?? ''));
  const padded = columns.map((cells) => {
    const width = Math.max(...cells.map(({ length }) => length));
    const toTheRight = NUMBER.test(cells.at(-1) ?? '');
    return cells.map((cell) => (toTheRight ? cell.padStart(width) : cell.padEnd(width)));
  });
  return rows
    .map((_, row) => `  ${padded.map((cells) => cells[row]).join('  ')}`.trimEnd())
    .join('\n');
}
