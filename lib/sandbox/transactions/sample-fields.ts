import { createHash } from 'node:crypto';
import type { IdType } from '../../wire/index.js';
import type { Transaction } from './transaction.js';

/** Names and values of fields. [doc: docs/transaction-fields] */
export type Fields = Readonly<Record<string, string>>;

const PERSON = {
  given_name: 'JOHN',
  middle_name: 'QUINCY',
  family_name: 'DOE',
  date_of_birth: '1990-01-15',
  sex: 'M',
};

/** In the barcode of cards that a state issues. */
const ADDRESS = {
  address_street: '123 MAIN ST',
  address_city: 'SAN FRANCISCO',
  address_subdivision: 'CA',
  address_postal_code: '94114',
  address_country: 'US',
};

/** A document was issued this many years ago, and expires in as many. */
const HALF_A_LIFETIME = 5;

/**
 * The fields of John Doe's document.
 * ASSUMPTION: which document has which fields.
 */
export function sampleFields(idType: IdType, idNumber: string, now: Date): Fields {
  const year = now.getUTCFullYear();
  return {
    ...PERSON,
    id_type: idType,
    id_number: idNumber,
    id_issue_date: `${year - HALF_A_LIFETIME}-01-15`,
    id_expiry_date: `${year + HALF_A_LIFETIME}-01-15`,
    ...(idType === 'DL' || idType === 'ID'
      ? { id_issuer: 'CA', ...ADDRESS }
      : { id_issuer: 'US', nationality: 'US' }),
  };
}

/** Contact data from the creation of the transaction. */
export function contactFields({ email, phone }: Transaction): Fields {
  return { ...(email && { email_address: email }), ...(phone && { phone_number: phone }) };
}

/** The age, if the date of birth is a date in the past; a string, as all values are. */
export function ageField({ date_of_birth: birth = '' }: Fields, now: Date): Fields {
  const [year = NaN, month = NaN, day = NaN] = birth.split('-').map(Number);
  const months = (now.getUTCFullYear() - year) * 12 + now.getUTCMonth() + 1 - month;
  const age = Math.floor((now.getUTCDate() < day ? months - 1 : months) / 12);
  return age >= 0 ? { age: age.toString() } : {};
}

/** A document number, the same one for the same source. */
export function idNumberFrom(source: string | Buffer): string {
  const digest = createHash('sha256').update(source).digest().readUIntBE(0, 6);
  return `D${(digest % 1e8).toString().padStart(8, '0')}`;
}
