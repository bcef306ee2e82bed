import { packRecords, peekRecord, withoutImpossibleRecords } from '#adapters/dtls/records.ts';

/** A record of `length` bytes of body in `epoch`. */
function record(length: number, epoch = 0): Uint8Array {
  const bytes = new Uint8Array(13 + length).fill(length & 255);
  bytes.set([22, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, length >> 8, length & 255]);
  return bytes;
}

const join = (...records: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(records));

describe('packRecords', () => {
  test('keeps records whole and fills datagrams up to the MTU', () => {
    const records = [record(400), record(500), record(600), record(10)];
    const datagrams = packRecords(join(...records), 1000);
    expect(datagrams.map(({ length }) => length)).toEqual([926, 636]);
    expect(join(...datagrams)).toEqual(join(...records));
  });

  test('fills a datagram to the last byte, and not one more', () => {
    expect(packRecords(join(record(100), record(61)), 187)).toHaveLength(1);
    expect(packRecords(join(record(100), record(62)), 187)).toHaveLength(2);
  });

  test('sends a record above the MTU alone', () => {
    const datagrams = packRecords(join(record(10), record(2000), record(10)), 1000);
    expect(datagrams.map(({ length }) => length)).toEqual([23, 2013, 23]);
  });

  test('copies: the stream may be used again', () => {
    const stream = join(record(4));
    const [datagram] = packRecords(stream, 1000);
    stream.fill(0);
    expect(datagram).toEqual(record(4));
  });

  test('is nothing for nothing, and throws on half a record', () => {
    expect(packRecords(new Uint8Array(), 1000)).toEqual([]);
    expect(() => packRecords(record(10).subarray(0, 20), 1000)).toThrow(RangeError);
    expect(() => packRecords(join(record(10), new Uint8Array(5)), 1000)).toThrow(RangeError);
  });
});

describe('withoutImpossibleRecords', () => {
  test('leaves a possible record as it is, without a copy', () => {
    const datagram = record(24, 1);
    expect(withoutImpossibleRecords(datagram, 24).buffer).toBe(datagram.buffer);
    expect(withoutImpossibleRecords(datagram, 24)).toEqual(datagram);
  });

  test('takes out protected records below the shortest, and only those', () => {
    const datagram = join(record(23, 1), record(24, 1), record(2, 0), record(0, 2));
    expect(withoutImpossibleRecords(datagram, 24)).toEqual(join(record(24, 1), record(2, 0)));
  });

  test('cuts off what holds no whole record', () => {
    expect(withoutImpossibleRecords(join(record(30, 1), record(30, 1).subarray(0, 20)), 24)).toEqual(
      record(30, 1),
    );
    expect(withoutImpossibleRecords(record(30, 1).subarray(0, 42), 24)).toHaveLength(0);
    expect(withoutImpossibleRecords(new Uint8Array(12), 24)).toHaveLength(0);
  });
});

test('peekRecord reads type and epoch of at least a header', () => {
  expect(peekRecord(record(0, 1))).toEqual({ type: 22, epoch: 1 });
  expect(peekRecord(record(0).subarray(0, 12))).toBeUndefined();
});
