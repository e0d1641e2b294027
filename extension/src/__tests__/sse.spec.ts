import { expect, test } from '@jest/globals';

import { EventReader } from '../sse';

const STREAM =
  ': awake\n\nid: 1\ndata: {"a":\ndata: 1}\n\nid:2\r\nevent: end\r\ndata: {}\r\n\r\nid: 3\n\n';

const EVENTS = [
  { id: '1', event: 'message', data: '{"a":\n1}' },
  { id: '2', event: 'end', data: '{}' }
];

test('events are read, comments are not', () => {
  expect(new EventReader().take(STREAM)).toEqual(EVENTS);
});

test.each([1, 2, 3, 7])('however they are cut, by %i', size => {
  const reader = new EventReader();
  const pieces = STREAM.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  expect(pieces.flatMap(piece => reader.take(piece))).toEqual(EVENTS);
});
