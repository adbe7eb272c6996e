import { ValidateBy } from 'class-validator';
import { isTransactionId, isRefreshToken, isToken } from '../../values/index.js';

/**
 * The longest plausible lifetime in seconds: 30 days. The API's is an hour.
 * [doc: docs/platform-overview]
 */
const MAX_LIFETIME_SECONDS = 30 * 24 * 3600;

/** A token: any non-empty string. */
export const IsToken = (): PropertyDecorator => rule('isToken', isToken, 'a non-empty string');

/** An optional token. */
export const IsOptionalToken = (): PropertyDecorator =>
  rule('isOptionalToken', (value) => value === undefined || isToken(value), 'a string');

/** A refresh token that can be sent. */
export const IsRefreshToken = (): PropertyDecorator =>
  rule('isRefreshToken', isRefreshToken, 'a non-empty string without control characters');

/** An optional refresh token. */
export const IsOptionalRefreshToken = (): PropertyDecorator =>
  rule(
    'isOptionalRefreshToken',
    (value) => value === undefined || isRefreshToken(value),
    'a string without control characters',
  );

/** The digits of a positive 64-bit integer, which need not be there. */
export const IsOptionalId = (): PropertyDecorator =>
  rule(
    'isOptionalId',
    (value) => value === undefined || isTransactionId(value),
    'a positive integer',
  );

/** The lifetime of a token in seconds. */
export const IsLifetime = (): PropertyDecorator =>
  rule(
    'isLifetime',
    (value) =>
      Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_LIFETIME_SECONDS,
    `a whole number of seconds from 1 to ${MAX_LIFETIME_SECONDS}`,
  );

type Rule = (value: unknown) => boolean;

/** The rules of each DTO class, by its prototype. */
const RULES = new WeakMap<object, [property: string, rule: Rule][]>();

function rule(name: string, validate: Rule, what: string): PropertyDecorator {
  const decorate = ValidateBy({
    name,
    validator: { validate, defaultMessage: () => `$property must be ${what}` },
  });
  return (prototype, property) => {
    decorate(prototype, property);
    RULES.set(prototype, [...(RULES.get(prototype) ?? []), [String(property), validate]]);
  };
}

/**
 * Whether the fields follow the rules above. class-validator says the same, but its work takes a
 * third of the memory of an exchange; it is only used to describe problems.
 */
export function followsRules(dto: object): boolean {
  const rules = RULES.get(Object.getPrototypeOf(dto) as object);
  return rules?.every(([property, holds]) => holds(dto[property as never])) ?? false;
}
