import { ValidateBy } from 'class-validator';
import { requireUid } from '../../tokens/index.js';

/** The same that the store is asked for: what is created under a uid can be found by it. */
export const IsCustomerUid = (): PropertyDecorator =>
  ValidateBy({
    name: 'isCustomerUid',
    validator: {
      validate: isCustomerUid,
      defaultMessage: () =>
        '$property must be a non-empty string, of whole characters, 256 at most',
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
