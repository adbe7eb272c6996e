import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** The full names of the tests in a spec, as `-t` of Jest takes them: titles, with those around them. */
export function testNamesIn(spec: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node, around: string): void => {
    const titles = ts.isCallExpression(node) ? titlesOf(node) : [];
    names.push(...titles.map((title) => around + title));
    const [title] = titles;
    const inside = title === undefined ? around : `${around}${title} `;
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(ts.createSourceFile(spec, readFileSync(spec, 'utf8'), ts.ScriptTarget.Latest), '');
  return names;
}

/** The title of a call of `it`, `describe` and the like, and those of the rows after `.each([...])`. */
function titlesOf({ expression, arguments: [title] }: ts.CallExpression): string[] {
  if (title === undefined || !ts.isStringLiteralLike(title)) return [];
  const rows: ts.Expression[] = [];
  let callee: ts.Expression = expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) {
    if (ts.isCallExpression(callee)) rows.push(...callee.arguments.flatMap(elementsOf));
    callee = callee.expression;
  }
  if (!ts.isIdentifier(callee) || !/^(?:it|test|describe\w*)$/.test(callee.text)) return [];
  const values = rows.map((row) => elementsOf(row)[0] ?? row).filter(ts.isStringLiteralLike);
  return [title.text, ...values.map(({ text }) => title.text.replace('%s', () => text))];
}

function elementsOf(node: ts.Expression): readonly ts.Expression[] {
  if (ts.isAsExpression(node)) return elementsOf(node.expression);
  return ts.isArrayLiteralExpression(node) ? node.elements : [];
}
