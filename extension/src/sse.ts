/** Server-sent events, read from a stream. Pure: bytes in, events out. */

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Takes pieces of text as they come; gives the events that are complete. */
export class EventReader {
  /** The events that end in this piece. */
  take(piece: string): ServerEvent[] {
    // A carriage return at the end may be half of a line's end.
    const text = this._rest + piece;
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    this._rest = (lines.pop() ?? '') + text.slice(whole.length);
    return lines.flatMap(line => this._line(line));
  }

  private _line(line: string): ServerEvent[] {
    if (line !== '') {
      this._field(line);
      return [];
    }
    const event = { id: this._id, event: this._event || 'message', data: this._data.join('\n') };
    const isEmpty = this._data.length === 0;
    this._event = '';
    this._data = [];
    return isEmpty ? [] : [event];
  }

  private _field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id') {
      this._id = value;
    } else if (name === 'event') {
      this._event = value;
    } else if (name === 'data') {
      this._data.push(value);
    }
  }

  private _rest = '';
  private _id = '';
  private _event = '';
  private _data: string[] = [];
}
