import { FLAGS, ID_TYPES, type IdType } from '../../wire/index.js';
import { invalidRequest } from '../http/api-exception.js';
import { parseWord } from '../http/request-body.js';
import type { Fields } from '../transactions/sample-fields.js';
import { flagsOf } from '../transactions/transaction-requests.js';
import type { Decision } from '../transactions/transaction-results.js';
import { html, type Html } from './page.js';

/** The buttons that complete a verification; the flags decide with the last one. */
export const RESULTS = ['accept', 'reject', 'review', 'flags'] as const;

/** The fields of the document that the form has; browsers have a calendar for dates. */
const FIELDS = {
  given_name: { label: 'Given name', type: 'text' },
  family_name: { label: 'Family name', type: 'text' },
  date_of_birth: { label: 'Date of birth', type: 'date' },
  id_expiry_date: { label: 'Expiry date', type: 'date' },
} as const;
const FIELD_NAMES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];

/** [doc: docs/api-only-integration-guide] */
const ID_TYPE_NAMES: Record<IdType, string> = {
  DL: 'Driver license',
  P: 'Passport',
  ID: 'Identity card',
  PRC: 'Permanent resident card',
  PC: 'Passport card',
};

const MAX_LENGTH = 100;
const KNOWN: ReadonlySet<string> = new Set(['choice', 'id_type', 'flags', ...FIELD_NAMES]);

/**
 * Reads the form that {@link documentInputs} and {@link flagInputs} make. What is missing or empty is
 * as in the sample document.
 *
 * @throws {ApiException} 400 for anything that the form cannot send
 */
export function parseDecision(form: URLSearchParams): Decision {
  const unknown = [...form.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw invalidRequest('The form has a field that is not known here.');
  const choice = parseWord(RESULTS, 'choice', form.get('choice'));
  const flags = flagsOf({ flags: form.getAll('flags') });
  const isDecidedByFlags = choice === 'flags';
  return {
    action: isDecidedByFlags ? undefined : choice,
    flags: isDecidedByFlags || flags.length > 0 ? flags : undefined,
    fields: Object.fromEntries(
      FIELD_NAMES.map((name) => [name, fieldOf(form, name)]).filter(([, value]) => value !== ''),
    ) as Fields,
    idType: form.has('id_type') ? parseWord(ID_TYPES, 'id_type', form.get('id_type')) : undefined,
  };
}

function fieldOf(form: URLSearchParams, name: keyof typeof FIELDS): string {
  const value = (form.get(name) ?? '').trim();
  if (value.length > MAX_LENGTH) {
    throw invalidRequest(`${name} must have at most ${MAX_LENGTH} characters.`);
  }
  if (value === '' || FIELDS[name].type === 'text' || isDate(value)) return value;
  throw invalidRequest(`${name} must be a date such as 1990-01-15.`);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(text).toJSON()?.startsWith(text);
}

/** Inputs for the kind of the document and its fields. */
export function documentInputs(sample: Fields): Html {
  const types = Object.entries(ID_TYPE_NAMES).map(
    ([type, name]) => html`<option value="${type}">${name}</option>`,
  );
  const inputs = FIELD_NAMES.map((name) => {
    const { label, type } = FIELDS[name];
    return html`<label>
      ${label}
      <input
        type="${type}"
        name="${name}"
        value="${sample[name] ?? ''}"
        maxlength="${MAX_LENGTH.toString()}"
        autocomplete="off"
      />
    </label>`;
  });
  return html`<div class="grid">
    <label
      >Document
      <select name="id_type">
        ${types}
      </select></label
    >
    ${inputs}
  </div>`;
}

/** A checkbox for each documented flag. */
export function flagInputs(): Html {
  const boxes = FLAGS.map(
    (flag) =>
      html`<label class="check"
        ><input type="checkbox" name="flags" value="${flag}" />${flag}</label
      >`,
  );
  return html`<div class="grid flags">${boxes}</div>`;
}
