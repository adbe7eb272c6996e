import { ValidateBy, isISO8601 } from 'class-validator';
import type { MatchData } from '../../wire/index.js';

/**
 * Data to compare the extracted data with. Values that you do not know are undefined or null.
 * [sdk: php 2.1.0]
 */
export interface MatchDataDto {
  /** The first name, as on the ID. */
  givenName?: string | null | undefined;
  /** The middle name, as on the ID. */
  middleName?: string | null | undefined;
  /** The last name, as on the ID. */
  familyName?: string | null | undefined;
  /** The date of birth: `YYYY-MM-DD` */
  dateOfBirth?: string | null | undefined;
  /** The expiry date of the ID: `YYYY-MM-DD` */
  idExpiryDate?: string | null | undefined;
}

const WIRE_NAMES: Record<keyof MatchDataDto, keyof MatchData> = {
  givenName: 'given_name',
  middleName: 'middle_name',
  familyName: 'family_name',
  dateOfBirth: 'date_of_birth',
  idExpiryDate: 'id_expiry_date',
};

/** Its schema for `@nestjs/swagger`. */
export const MATCH_DATA_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    givenName: { type: 'string', nullable: true, description: 'The first name, as on the ID.' },
    middleName: { type: 'string', nullable: true, description: 'The middle name, as on the ID.' },
    familyName: { type: 'string', nullable: true, description: 'The last name, as on the ID.' },
    dateOfBirth: {
      type: 'string',
      format: 'date',
      nullable: true,
      description: 'The date of birth: `YYYY-MM-DD`',
    },
    idExpiryDate: {
      type: 'string',
      format: 'date',
      nullable: true,
      description: 'The expiry date of the ID: `YYYY-MM-DD`',
    },
  },
};

/** Accepts plain objects: in a controller, a nested class would need class-transformer. */
export const IsMatchData = (): PropertyDecorator =>
  ValidateBy({
    name: 'isMatchData',
    validator: {
      validate: isMatchData,
      defaultMessage: () =>
        `$property must be an object of strings, with ${Object.keys(WIRE_NAMES).join(', ')}; dates as YYYY-MM-DD`,
    },
  });

/** With the API's names; undefined and null values are still in it. */
export function matchDataToWire(data: MatchDataDto): MatchData {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [WIRE_NAMES[name as keyof MatchDataDto], value]),
  );
}

function isMatchData(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([name, text]) =>
        Object.hasOwn(WIRE_NAMES, name) &&
        (text === undefined ||
          text === null ||
          (typeof text === 'string' && (!/date/i.test(name) || isDay(text)))),
    )
  );
}

/** A date without a time; ISO 8601 also has weeks, and dates without a day. */
function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && isISO8601(text, { strict: true });
}
