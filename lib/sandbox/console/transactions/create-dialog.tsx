import { call, type Transaction } from '../api.js';
import { Dialog, Field, Form, run } from '../parts/controls.js';
import { hrefOf } from '../router.js';

/** Creates a transaction as a backend would, and opens it. */
export function CreateDialog({ onClose }: { onClose: () => void }) {
  const create = async (values: FormData): Promise<void> => {
    const customerUid = String(values.get('customer_uid'));
    const body = { kind: values.get('kind'), ...(customerUid && { customer_uid: customerUid }) };
    const works = await run(async () => {
      const { id } = await call<Transaction>('POST', 'transactions', body);
      location.hash = hrefOf('transactions', id);
    }, 'The transaction was created.');
    if (works) onClose();
  };
  return (
    <Dialog title="Create a transaction" onClose={onClose}>
      <Form submit="Create" onSubmit={create}>
        <Field label="Customer uid" hint="Your own name for the customer; empty for a random one.">
          <input name="customer_uid" maxLength={256} autocomplete="off" />
        </Field>
        <Field label="Kind">
          <select name="kind">
            <option value="sdk">With a front-end SDK</option>
            <option value="hosted">On a hosted page</option>
            <option value="apiOnly">By the API only</option>
          </select>
        </Field>
      </Form>
    </Dialog>
  );
}
