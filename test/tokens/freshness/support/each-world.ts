import { afterEach, beforeEach, expect } from '@jest/globals';
import { World } from './world.js';

/** A world for each test of the file, in which nothing may go wrong unseen. */
export function eachWorld(): { readonly world: World } {
  const holder = {} as { world: World };
  beforeEach(() => {
    holder.world = new World();
  });
  afterEach(async () => {
    expect(await holder.world.end()).toEqual([]);
  });
  return holder;
}
