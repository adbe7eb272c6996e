import { ValidateBy, isEmail } from 'class-validator';

const LONE_SURROGATE = /\p{Surrogate}/u;

/** As the rule of class-validator, which throws a URIError where a text has half of a surrogate pair. */
export const IsEmail = (): PropertyDecorator =>
  ValidateBy({
    name: 'isEmail',
    validator: {
      validate: (value) =>
        typeof value === 'string' && !LONE_SURROGATE.test(value) && isEmail(value),
      defaultMessage: () => '$property must be an email',
    },
  });
