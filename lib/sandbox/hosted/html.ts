const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup that is safe as it stands. */
export class Html {
  constructor(readonly text: string) {}
}

/**
 * Markup with values in it. Whatever is not markup itself is escaped, for text and for attributes in
 * quotes alike.
 *
 * @example
 * html`<p>${customerUid}</p>`.text // '<p>&lt;b&gt;</p>' for '<b>'
 */
export function html(
  strings: TemplateStringsArray,
  ...values: (string | Html | readonly Html[])[]
): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(textOf)));
}

function textOf(value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return value.replaceAll(/[&<>"']/g, escapeCharacter);
  return value.map(textOf).join('');
}

function escapeCharacter(character: string): string {
  return ENTITIES[character] ?? character;
}
