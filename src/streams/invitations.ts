import { type Observable, of, ReplaySubject } from 'rxjs';
import type { MemberAddress } from '../transport/transport.ts';

/** The store of a node that is asked for it. */
export interface LearnedStore {
  /** Replays it, once it is known. */
  readonly storeId$: Observable<string>;
  /** Stops asking. */
  stop(): void;
}

/** Nodes that are asked for their store before they are members. */
export class Invitations {
  readonly #open = new Set<{
    readonly address: MemberAddress;
    readonly resolve: (storeId: string) => void;
  }>();
  readonly #onChange: () => void;

  /** `onChange`: other addresses are to be dialed from now on. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Where they are said to be. */
  get addresses(): readonly MemberAddress[] {
    return [...this.#open].map(({ address }) => address);
  }

  /**
   * Asks the node at an address: it is dialed, and introduces itself, until this is stopped. `known`: its store, if it has
   * introduced itself already, and would not do it again.
   */
  learn(address: MemberAddress, known: string | undefined): LearnedStore {
    if (known !== undefined) return { storeId$: of(known), stop: () => undefined };
    const storeId$ = new ReplaySubject<string>(1);
    const invitation = { address, resolve: (storeId: string) => storeId$.next(storeId) };
    this.#open.add(invitation);
    this.#onChange();
    const stop = () => {
      this.#open.delete(invitation);
      this.#onChange();
    };
    return { storeId$, stop };
  }

  /** A store introduces itself. `isAt`: whether it may be the one at an address under its name. */
  answer(
    { id, storeId }: { readonly id: string; readonly storeId: string },
    isAt: (url: string) => boolean,
  ): void {
    for (const { address, resolve } of this.#open)
      if (address.id === id && isAt(address.url)) resolve(storeId);
  }
}
