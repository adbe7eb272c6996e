import { ValidateBy, isEmail } from 'class-validator';
import { hasLoneSurrogate, requireUid } from '../../values/index.js';

/** The check of the store, so that a transaction of this uid can be found by it. */
export const IsCustomerUid = (): PropertyDecorator =>
  ValidateBy({
    name: 'isCustomerUid',
    validator: {
      validate: isCustomerUid,
      defaultMessage: () =>
        '$property must be a non-empty string of at most 256 characters, without half of a surrogate pair',
    },
  });

function isCustomerUid(value: unknown): boolean {
  try {
    requireUid(value);
    return true;
  } catch {
    return false;
  }
}

/** The rule of class-validator, which throws a URIError for half of a surrogate pair. */
export const IsEmail = (): PropertyDecorator =>
  ValidateBy({
    name: 'isEmail',
    validator: {
      validate: (value) => typeof value === 'string' && !hasLoneSurrogate(value) && isEmail(value),
      defaultMessage: () => '$property must be an email',
    },
  });
