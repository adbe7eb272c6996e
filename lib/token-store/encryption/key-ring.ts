import type { KeyObject } from 'node:crypto';

/** The keys in use, looked up by id. */
export interface KeyRing {
  current(): Promise<{ readonly id: string; readonly key: KeyObject }>;
  byId(id: string): Promise<KeyObject | undefined>;
}

/** The keys of the application. */
export class OwnKeyRing implements KeyRing {
  readonly #keys: Map<string, KeyObject>;
  readonly #current: { id: string; key: KeyObject };

  constructor(keys: Record<string, KeyObject>, id: string) {
    this.#keys = new Map(Object.entries(keys));
    this.#current = { id, key: this.#keys.get(id) as KeyObject };
  }

  async current(): Promise<{ id: string; key: KeyObject }> {
    return this.#current;
  }

  async byId(id: string): Promise<KeyObject | undefined> {
    return this.#keys.get(id);
  }
}
