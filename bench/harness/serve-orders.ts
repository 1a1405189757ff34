import { once } from 'node:events';
import type { OrderMessage } from './ordered-process.ts';

/** The first message to this process: how what it runs is put together. Ends with the process that gave it. */
export async function firstOrder<Options>(): Promise<Options> {
  process.once('disconnect', () => process.exit(1));
  const [options] = (await once(process, 'message')) as [Options];
  return options;
}

/** From now on carries out what the process that started this one says, and tells it that all is ready. */
export function serveOrders<Orders extends object>(orders: Orders): void {
  process.on('message', ({ id, name, args }: OrderMessage) => {
    const carryOut = orders[name as keyof Orders] as (...given: readonly unknown[]) => unknown;
    Promise.resolve()
      .then(() => carryOut(...args))
      .then(
        (value) => process.send?.({ id, value }),
        (error: unknown) => process.send?.({ id, problem: String(error) }),
      );
  });
  process.send?.({ id: 0 });
}
