/** One Server-Sent Event. */
export interface ServerEvent {
  /** Of the event itself; `null` if it has none. */
  readonly id: string | null;
  /** `message` unless the server said otherwise. */
  readonly type: string;
  readonly data: string;
}

/**
 * Reads Server-Sent Events from bytes. Comments, and events without data, are left out. Ends when the bytes
 * do; an event that was cut off is not given.
 */
export async function* eventsIn(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bytes) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== null) yield event;
    }
  }
}

function eventOf(block: string): ServerEvent | null {
  const fields = new Map<string, string[]>();
  for (const line of block.split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const data = fields.get('data');
  if (data === undefined) return null;
  return {
    id: fields.get('id')?.at(-1) ?? null,
    type: fields.get('event')?.at(-1) ?? 'message',
    data: data.join('\n'),
  };
}
