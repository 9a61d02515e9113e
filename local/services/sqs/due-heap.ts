interface Due {
  readonly atMs: number;
  readonly id: string;
}

/** What is due first comes first: a binary heap, in which an id may be more than once. */
export class DueHeap {
  #heap: Due[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): Due | undefined {
    return this.#heap[0];
  }

  push(due: Due): void {
    const heap = this.#heap;
    heap.push(due);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#at(parent) <= this.#at(at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): Due | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const child = this.#smallestChild(at);
      if (child === undefined || this.#at(at) <= this.#at(child)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  keep(isWanted: (due: Due) => boolean): void {
    // A sorted list is a heap.
    this.#heap = this.#heap.filter(isWanted).sort((a, b) => a.atMs - b.atMs);
  }

  #smallestChild(at: number): number | undefined {
    const left = 2 * at + 1;
    if (left >= this.#heap.length) return undefined;
    return left + 1 < this.#heap.length && this.#at(left + 1) < this.#at(left) ? left + 1 : left;
  }

  #at(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
