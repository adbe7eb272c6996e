import type { TransactionField } from '../../wire/index.js';

/** A field as the metadata has it, by name. [sdk: go types.go] */
export function presentField(name: string, value: string) {
  const confidence = 'high';
  const field = { value, confidence, sources: [{ value, type: sourceOf(name), confidence }] };
  return [name, field satisfies TransactionField] as const;
}

/** An address comes from the barcode only. [doc: docs/transaction-fields] */
function sourceOf(name: string): string {
  if (name === 'email_address' || name === 'phone_number') return 'user-input';
  return name.startsWith('address_') ? 'barcode-scan' : 'text-scan';
}
