/** How a stream of events is kept alive and ended. */
export interface EventStreamOptions {
  /** Milliseconds between comments, sent only while the client takes what it gets. */
  readonly heartbeatMs: number;
  /** Called when the client has gone or the stream is over; perhaps more than once. */
  readonly onEnd: () => void;
}

/**
 * The body of an answer that never ends: what `source` yields, and a comment now and then.
 *
 * It pulls. A client that reads slowly is asked for nothing and given nothing, so it costs one item of
 * memory, however far behind it falls.
 */
export function eventStream(
  source: AsyncIterable<string>,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let heartbeat: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearInterval(heartbeat);
    options.onEnd();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'));
      }, options.heartbeatMs);
    },
    async pull(controller) {
      const next = await iterator.next().catch((error: unknown) => {
        end();
        throw error;
      });
      if (next.done !== true) return controller.enqueue(encoder.encode(next.value));
      end();
      controller.close();
    },
    cancel() {
      end();
      void iterator.return?.(); // Not waited for: it may be in the middle of waiting itself.
    },
  });
}

const encoder = new TextEncoder();
