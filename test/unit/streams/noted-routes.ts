import type { Input } from '../../../src/core/index.ts';
import type { Routes } from '../../../src/streams/routes.ts';
import type { ForwardFrame } from '../../../src/transport/transport.ts';

/** Where the requests of a queue go: noted, and carried out by nobody. */
export class NotedRoutes implements Routes {
  leader: 'self' | string | null = null;
  isLinkUp = true;
  isBusy = false;
  time = 0;
  readonly inputs: Input[] = [];
  readonly frames: Omit<ForwardFrame, 'group'>[] = [];
  #lastId = 0;

  target(): 'self' | string | null {
    return this.leader;
  }

  whyOutside(): null {
    return null;
  }

  isDiskBusy(): boolean {
    return this.isBusy;
  }

  input(input: Input): void {
    this.inputs.push(input);
  }

  forward(_to: string, frame: Omit<ForwardFrame, 'group'>): boolean {
    if (this.isLinkUp) this.frames.push(frame);
    return this.isLinkUp;
  }

  now(): number {
    return this.time;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
