import type { PeerStatus } from 'rxraft';

/** Knows since when a peer has been out of reach, which a status by itself does not tell. */
export interface PeerClock {
  /** Looks at the peers as they are now. */
  observe(peers: readonly PeerStatus[]): void;
  /** Milliseconds since the peer was first seen unreachable; `null` if it is not. */
  unreachableMs(id: string): number | null;
}

/** A clock that has seen nothing yet. `now` gives monotonic milliseconds. */
export function peerClock(now: () => number = () => performance.now()): PeerClock {
  let since: ReadonlyMap<string, number> = new Map();
  return {
    observe(peers) {
      const unreachable = peers.filter((peer) => peer.state === 'unreachable');
      since = new Map(unreachable.map(({ id }) => [id, since.get(id) ?? now()]));
    },
    unreachableMs(id) {
      const from = since.get(id);
      return from === undefined ? null : Math.round(now() - from);
    },
  };
}
