import { Inject, Injectable } from '@nestjs/common';
import { ACTIONS } from '../../wire/index.js';
import { SANDBOX_SETTINGS, type SandboxSettings } from '../sandbox.settings.js';

/** One that nobody needs to reject: where it has no entry, somebody looks at it. */
const DOUBTFUL_FLAG = 'id_duplicate_possible';

/** Determines the action of a result from its flags. [doc: docs/platform-overview] */
@Injectable()
export class ActionMap {
  readonly #entries: readonly (readonly [string, string])[];

  constructor(@Inject(SANDBOX_SETTINGS) { actionMap }: SandboxSettings) {
    this.#entries = Object.entries(actionMap);
  }

  /** The first entry whose flag is among them decides. */
  actionFor(flags: readonly string[]): string {
    if (flags.length === 0) return 'accept';
    return this.#entries.find(([flag]) => flags.includes(flag))?.[1] ?? 'review';
  }

  /** What leads to the action; no flags for `accept`, and where no flag does. */
  flagsFor(action: string): readonly string[] {
    if (action === this.actionFor([])) return [];
    const flags = [...this.#entries.map(([flag]) => flag), DOUBTFUL_FLAG];
    return flags.filter((flag) => this.actionFor([flag]) === action).slice(0, 1);
  }

  /** Every action that can be: the usual ones and those of the map. */
  get actions(): readonly string[] {
    return [...new Set([...ACTIONS, ...this.#entries.map(([, action]) => action)])];
  }
}
