import { type JsonObject, optionalString, requiredString } from '../requests/fields.js';

/** What `PATCH /v0/transactions` asks for. [doc: reference/updatetransaction] */
export interface Update {
  action: string;
  note?: string;
}

/** Whether the action is one is not said here: that depends on the account. */
export function parseUpdate(body: JsonObject): Update {
  return { action: requiredString(body, 'action'), note: optionalString(body, 'note') };
}
