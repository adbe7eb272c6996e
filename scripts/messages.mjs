// Writes the lists of docs/messages.md: what the package can throw, log or print. A comment below each
// heading of the page names source files; the list of their messages follows it. Run
// `npm run docs:messages` after a change: test/package/docs-messages.spec.ts compares.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PAGE = 'docs/messages.md';

/** Texts for browsers, documents and other programs. */
const NO_MESSAGES = new RegExp(
  [
    'lib/sandbox/console/',
    'lib/sandbox/openapi/(?!lint\\.ts|swagger-ui\\.ts)',
    'lib/sandbox/pages/(?:console|frame-script|style|theme)\\.ts',
    'lib/token-store/postgres/statements\\.ts',
    'lib/token-store/redis/scripts\\.ts',
    'lib/transactions/dto/transaction\\.schemas\\.ts',
  ].join('|'),
);

/** Members and functions that take descriptions, for the help and documents, or names. */
const DESCRIPTIONS = new Set(['description', 'help', 'summary', 'example']);
const DESCRIBING = new Set(
  'Describe DescribeQuery DescribeRefusals counter gauge duration Symbol createContextKey'.split(
    ' ',
  ),
);

/** SQL, HTML, headers, code, sample values, and the help of commands. */
const OTHER_LANGUAGE =
  /^\s*(?:[A-Z]{4,} [A-Za-z(*$]|created_at |mode = |lease_until |(?:… )?Usage: |[<[]|id: |--[\w-]+ (?:[A-Z]{3}|http)|-- nest |nestjs-berbix sandbox exec$|@Module|… import |BEGIN;|CN=)|charset=|\w-(?:src|uri|action|ancestors) |"quoted"|^what went wrong$/;

/** What stands for a value. */
const VALUE = '…';

const LEVELS = {
  error: 'Errors in the log',
  warn: 'Warnings in the log',
  log: 'Notes in the log',
  debug: 'Notes in the log, for debugging',
};
const OTHERS = 'Other messages';
const PARTS = 'Parts of messages';

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, withLists(page, messagesOf(sources())));
}

/** The text of each source file, by its path. */
export function sources() {
  const files = readdirSync('lib', { recursive: true }).map(
    (file) => `lib/${file.replaceAll('\\', '/')}`,
  );
  return new Map(
    [...files, 'schematics/nest-add.cjs']
      .filter((file) => /\.(?:tsx?|cjs)$/.test(file) && !NO_MESSAGES.test(file))
      .toSorted()
      .map((file) => [file, readFileSync(resolve(file), 'utf8')]),
  );
}

/** The page with the messages of the named files after each comment. */
export function withLists(page, messages) {
  const paths = [...page.matchAll(/^<!-- messages: (.*) -->$/gm)].flatMap(([, list]) =>
    list.split(' '),
  );
  const placed = groupBy(messages, ({ file }) =>
    paths.filter((path) => isBelow(file, path)).reduce((a, b) => (b.length > a.length ? b : a), ''),
  );
  const homeless = placed.get('');
  if (homeless !== undefined) {
    throw new Error(`No section of ${PAGE} has ${homeless.map(({ file }) => file).join(', ')}.`);
  }
  return page.replaceAll(
    /^(<!-- messages: (.*) -->\n)[^]*?^(<!-- end -->)$/gm,
    (_, begin, list, end) => {
      const here = list.split(' ').flatMap((path) => placed.get(path) ?? []);
      if (here.length === 0) throw new Error(`No message is in ${list}.`);
      return `${begin}\n${listOf(here)}\n\n${end}`;
    },
  );
}

function isBelow(file, path) {
  return path.endsWith('/') ? file.startsWith(path) : file === path;
}

function listOf(messages) {
  const groups = groupBy(messages, ({ kind }) => kind);
  const kinds = [...groups.keys()].toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  return kinds
    .map((kind) => {
      const texts = [...new Set(groups.get(kind).map(({ text }) => text))];
      const items = texts.map((text) => `- ${code(text)}`).join('\n');
      const advice = kind.startsWith('BERBIX_')
        ? `[What to do](errors.md#${kind.toLowerCase()}).\n\n`
        : '';
      return kinds.length === 1 ? items : `#### ${kind}\n\n${advice}${items}`;
    })
    .join('\n\n');
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** The codes come first, the parts last. */
function rankOf(kind) {
  return [...Object.values(LEVELS), OTHERS, PARTS].indexOf(kind);
}

function code(text) {
  const fence = text.includes('`') ? '``' : '`';
  return fence + text + fence;
}

/** Every text of at least three words that is not one of the above. */
export function messagesOf(files) {
  return [...files].flatMap(([file, content]) => {
    const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest, true);
    const constants = constantsOf(source);
    const inlined = new Set();
    const found = [];
    const visit = (node) => {
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
      if (isDescription(node)) return;
      const text = textOf(node, constants, inlined);
      if (text === undefined) {
        ts.forEachChild(node, visit);
        return;
      }
      found.push({ node, text: tidy(text) });
      if (ts.isTemplateExpression(node)) {
        for (const { expression } of node.templateSpans) visit(expression);
      }
    };
    visit(source);
    return found
      .filter(({ node, text }) => !inlined.has(node) && isMessage(text))
      .map(({ node, text }) => ({
        file,
        text,
        kind: kindOf(node) ?? (isSentence(text) ? OTHERS : PARTS),
      }));
  });
}

/** The constants of a file that are declared once, by name. */
function constantsOf(source) {
  const constants = new Map();
  const visit = (node) => {
    if (ts.isVariableDeclaration(node)) {
      const name = node.name.getText();
      constants.set(name, constants.has(name) ? undefined : node.initializer);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return constants;
}

/** The text of a literal, a template or their sum; undefined for any other node. */
function textOf(node, constants, inlined) {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  const partOf = (part) => {
    const constant = ts.isIdentifier(part) ? constants.get(part.text) : part;
    const text = constant && textOf(constant, constants, inlined);
    if (text !== undefined) inlined.add(constant);
    return text ?? VALUE;
  };
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.map(
      ({ expression, literal }) => partOf(expression) + literal.text,
    );
    return node.head.text + spans.join('');
  }
  const isSum = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
  if (!isSum) return undefined;
  const parts = [node.left, node.right].map(partOf);
  return parts.every((part) => part === VALUE) ? undefined : parts.join('');
}

function tidy(text) {
  return text
    .replaceAll('$property', VALUE)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/…{2,}/g, VALUE)
    .trim();
}

/** Three words, or two in a sentence. */
function isMessage(text) {
  const words = text.match(/[A-Za-z]{2,}/g) ?? [];
  return words.length > (isSentence(text) ? 1 : 2) && / /.test(text) && !OTHER_LANGUAGE.test(text);
}

function isSentence(text) {
  return /[.?!]…?$/.test(text) && !/^(?:[,;]|did |has |is |must |needs |to )/.test(text);
}

function isDescription(node) {
  if (ts.isTaggedTemplateExpression(node)) return true;
  if (ts.isPropertyAssignment(node)) return DESCRIPTIONS.has(node.name.getText());
  return (
    ts.isCallExpression(node) && DESCRIBING.has(node.expression.getText().replace('this.', ''))
  );
}

/** The code of the error, or the level of the log, whose arguments have the text. */
function kindOf(node) {
  for (let outer = node.parent; outer && !ts.isStatement(outer); outer = outer.parent) {
    if (ts.isNewExpression(outer)) {
      const [, name] = /^Berbix(\w+)Error$/.exec(outer.expression.getText()) ?? [];
      if (name !== undefined) return `BERBIX${name.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
    }
    if (ts.isCallExpression(outer)) {
      const [, level] = /logger(?:\(.*\))?\.(\w+)$/i.exec(outer.expression.getText()) ?? [];
      if (level !== undefined) return LEVELS[level];
    }
  }
  return undefined;
}
