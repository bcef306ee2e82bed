import { Turns } from '#functions/mitigation-request/turns.ts';

interface Gate {
  readonly open: () => void;
  readonly passed: Promise<void>;
}

function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

test('one after another under a key, side by side otherwise', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const first = gate();
  const one = turns.take('demo', async () => {
    log.push('one starts');
    await first.passed;
    log.push('one ends');
    return 1;
  });
  const two = turns.take('demo', () => Promise.resolve(log.push('two')));
  await turns.take('other', () => Promise.resolve(log.push('other')));
  expect(log).toEqual(['one starts', 'other']);
  first.open();
  expect(await one).toBe(1);
  await two;
  expect(log).toEqual(['one starts', 'other', 'one ends', 'two']);
});

test('a failure is told to whoever took the turn, and the next one goes on', async () => {
  const turns = new Turns();
  const failed = turns.take('demo', () => Promise.reject(new Error('no')));
  const next = turns.take('demo', () => Promise.resolve('yes'));
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('yes');
});
