import { Inject, Injectable } from '@nestjs/common';
import { ACTIONS } from '../../wire/index.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../settings.js';

/** Without an entry in the map, it leads to a review. */
const DOUBTFUL_FLAG = 'id_duplicate_possible';

/** Determines the action of a result from its flags. [doc: docs/platform-overview] */
@Injectable()
export class ActionMap {
  readonly #entries: readonly (readonly [string, string])[];

  constructor(@Inject(SANDBOX_SETTINGS) { actionMap }: SandboxSettings) {
    this.#entries = Object.entries(actionMap);
  }

  /** The action of the first entry whose flag was raised. */
  actionFor(flags: readonly string[]): string {
    if (flags.length === 0) return 'accept';
    return this.#entries.find(([flag]) => flags.includes(flag))?.[1] ?? 'review';
  }

  /** Flags that lead to the action; empty for `accept`, and if no flag does. */
  flagsFor(action: string): readonly string[] {
    if (action === this.actionFor([])) return [];
    const flags = [...this.#entries.map(([flag]) => flag), DOUBTFUL_FLAG];
    return flags.filter((flag) => this.actionFor([flag]) === action).slice(0, 1);
  }

  /** All possible actions: the usual ones and those of the map. */
  get actions(): readonly string[] {
    return [...new Set([...ACTIONS, ...this.#entries.map(([, action]) => action)])];
  }
}
