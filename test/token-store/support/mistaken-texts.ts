import { RowStore, type Row } from './row.store.js';

type Mistake = new () => RowStore;

/** A store that changes its keys. */
function keyed(change: (key: string) => string): Mistake {
  return class extends RowStore {
    override read(key: string) {
      return super.read(change(key));
    }

    override write(key: string, row: Row) {
      super.write(change(key), row);
    }

    override async load(key: string) {
      return super.load(change(key));
    }
  };
}

/** A store that lists its keys in pages; every page but the first omits some keys. */
function paged(size: number, leftOut: number): Mistake {
  return class extends RowStore {
    override async keys(prefix: string, cursor = '0') {
      const { keys } = await super.keys(prefix);
      const from = Number(cursor);
      const to = from + size;
      return {
        keys: keys.toSorted().slice(from === 0 ? 0 : from + leftOut, to),
        cursor: to < keys.length ? String(to) : undefined,
      };
    }
  };
}

/** Mistakes in keys, values and listings, each with cases that must fail. */
export const WRONG_TEXTS: Record<string, [Mistake, ...cases: string[]]> = {
  'values without trailing spaces': [
    class extends RowStore {
      override commitOn(row: Row, key: string, version: number, value: string) {
        return super.commitOn(row, key, version, value.trimEnd());
      }
    },
    'values and notes are stored unchanged',
  ],
  'keys of 255 characters': [keyed((key) => key.slice(0, 255)), 'keys are compared exactly'],
  'keys of 512 characters': [keyed((key) => key.slice(0, 512)), 'keys are compared exactly'],
  'keys that are normalized': [keyed((key) => key.normalize()), 'keys are compared exactly'],
  'keys without their case': [keyed((key) => key.toLowerCase()), 'keys are compared exactly'],
  'case-insensitive prefixes': [
    class extends RowStore {
      override async keys(prefix: string) {
        const { keys } = await super.keys('');
        const found = keys.filter((key) => key.toLowerCase().startsWith(prefix.toLowerCase()));
        return { keys: found, cursor: undefined };
      }
    },
    'keys are listed by prefix',
  ],
  'prefixes that are patterns': [
    class extends RowStore {
      override async keys(prefix: string) {
        const { keys } = await super.keys('');
        const pattern = new RegExp(`^${prefix.replaceAll('.', '\\.').replaceAll('_', '.')}`, 'u');
        return { keys: keys.filter((key) => pattern.test(key)), cursor: undefined };
      }
    },
    'a prefix is not a pattern',
  ],
  'a listing with keys that have no value': [
    class extends RowStore {
      override async keys(prefix: string) {
        const found = [...this.rows.keys()].filter((key) => key.startsWith(prefix));
        return { keys: found, cursor: undefined };
      }
    },
    'only keys with a value are listed',
  ],
  'a listing that is cut at 1,200': [
    class extends RowStore {
      override async keys(prefix: string) {
        const { keys } = await super.keys(prefix);
        return { keys: keys.slice(0, 1_200), cursor: undefined };
      }
    },
    'keys are listed page by page',
  ],
  'pages of 500 that leave one key out': [paged(500, 1), 'keys are listed page by page'],
  'pages of 2,000 that leave one key out': [paged(2_000, 1), 'keys are listed page by page'],
  'pages by their number': [paged(300, 0), 'forgetting during a listing hides no other key'],
};
