/** Stands where a secret was left out: in printed values, in their JSON form and in messages. */
export const REDACTED = '[redacted]';
