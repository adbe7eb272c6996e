import type { BerbixTokenStore } from '../../lib/token-store/index.js';

/** A store with some methods replaced. */
export function changed(
  store: BerbixTokenStore,
  methods: Partial<BerbixTokenStore>,
): BerbixTokenStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
