import { useState } from 'preact/hooks';
import { call } from '../api.js';
import { Field, Form, run } from '../parts/controls.js';
import { FAULT_KINDS } from './descriptions.js';

/** Adds a fault. */
export function FaultForm() {
  const [kind, setKind] = useState(FAULT_KINDS[0]);
  const [howOften, setHowOften] = useState('count');
  const needs = kind?.needs;
  return (
    <Form
      submit="Add"
      onSubmit={(values) =>
        run(() => call('POST', 'faults', faultOf(values)), 'The fault is pending.')
      }
    >
      <Field label="What happens">
        <select
          name="kind"
          value={kind?.kind}
          onChange={({ currentTarget }) =>
            setKind(FAULT_KINDS.find((candidate) => candidate.kind === currentTarget.value))
          }
        >
          {FAULT_KINDS.map(({ kind: name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </Field>
      {needs && (
        <Field key={kind.kind} label={needs.label}>
          <input
            name={needs.name}
            type="number"
            min={needs.min}
            max={needs.max}
            required
            defaultValue={String(needs.value)}
          />
        </Field>
      )}
      <Field label="Which requests">
        <select name="target">
          <option value="POST /v0/tokens">POST /v0/tokens: exchanges</option>
          <option value="">All of the API</option>
          <option value="POST /v0/transactions">POST /v0/transactions</option>
          <option value="GET /v0/transactions">GET /v0/transactions</option>
          <option value="PATCH /v0/transactions">PATCH /v0/transactions</option>
          <option value="DELETE /v0/transactions">DELETE /v0/transactions</option>
        </select>
      </Field>
      <Field label="How often">
        <select
          name="how_often"
          value={howOften}
          onChange={({ currentTarget }) => setHowOften(currentTarget.value)}
        >
          <option value="count">The next few</option>
          <option value="probability">With a probability</option>
          <option value="always">All, until it is removed</option>
        </select>
      </Field>
      {howOften === 'count' && (
        <Field label="Count">
          <input name="times" type="number" min={1} max={1_000_000} required defaultValue="1" />
        </Field>
      )}
      {howOften === 'probability' && (
        <>
          <Field label="Probability" hint="From 0 to 1">
            <input
              name="probability"
              type="number"
              min={0.001}
              max={1}
              step="any"
              required
              defaultValue="0.5"
            />
          </Field>
          <Field label="Seed" hint="The same seed hits the same requests.">
            <input name="seed" type="number" min={0} max={2 ** 32 - 1} required defaultValue="1" />
          </Field>
        </>
      )}
      {kind?.losesAnswer && (
        <label class="check">
          <input type="checkbox" name="processed" /> Process the request first, and lose the answer
        </label>
      )}
    </Form>
  );
}

function faultOf(values: FormData): object {
  const [method, path] = String(values.get('target')).split(' ');
  const kind = FAULT_KINDS.find((candidate) => candidate.kind === values.get('kind'));
  const numbers = [kind?.needs?.name ?? '', 'times', 'probability', 'seed'].flatMap((name) =>
    values.has(name) ? [[name, Number(values.get(name))]] : [],
  );
  return {
    kind: kind?.kind,
    ...Object.fromEntries(numbers),
    ...(values.get('how_often') === 'always' && { times: 'Infinity' }),
    ...(method && { method }),
    ...(path && { path }),
    ...(values.has('processed') && { processed: true }),
  };
}
