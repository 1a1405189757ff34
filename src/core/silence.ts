import type { Progress } from './progress.ts';
import type { Leader } from './role-state.ts';
import { index0 } from './types.ts';

/**
 * Whether a follower has not answered its leader for at least one whole election timeout, whatever the connections with it
 * look like: it may hear nothing, or hang. Nobody is silent before the leader's first look, when nobody has had the time.
 */
export function isSilent({ markIndex }: Leader, { isActive, wasActive }: Progress): boolean {
  const isFirstLook = markIndex === index0;
  return !isFirstLook && !isActive && !wasActive;
}
