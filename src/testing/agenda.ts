interface Entry<Event> {
  readonly at: number;
  readonly order: number;
  readonly event: Event;
}

/** What will happen, and when; what is due at the same moment happens in the order it was added. A heap. */
export class Agenda<Event> {
  readonly #heap: Entry<Event>[] = [];
  #added = 0;

  get length(): number {
    return this.#heap.length;
  }

  add(at: number, event: Event): void {
    const heap = this.#heap;
    const entry = { at, order: this.#added++, event };
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!isBefore(entry, heap[parent] as Entry<Event>)) break;
      heap[place] = heap[parent] as Entry<Event>;
      place = parent;
    }
    heap[place] = entry;
  }

  /** Takes out what is due next. */
  next(): { readonly at: number; readonly event: Event } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first !== undefined && last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry<Event>): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const isRightFirst =
        right < heap.length && isBefore(heap[right] as Entry<Event>, heap[left] as Entry<Event>);
      const child = isRightFirst ? right : left;
      if (!isBefore(heap[child] as Entry<Event>, entry)) break;
      heap[place] = heap[child] as Entry<Event>;
      place = child;
    }
    heap[place] = entry;
  }
}

function isBefore<Event>(a: Entry<Event>, b: Entry<Event>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
