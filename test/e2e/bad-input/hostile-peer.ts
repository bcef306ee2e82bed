/** A peer that has a session and says what it likes, one message id after another. */
import { connectDtls } from '#adapters/dtls/client.ts';
import { utf8Decode } from '#core/base/bytes.ts';
import { formatCode } from '#core/coap/code.ts';
import { decodeUdp, TYPE } from '#core/coap/udp-message.ts';
import type { SecureSession } from '#core/ports/secure-session.ts';
import { demoCredentials, type ProviderProcess } from '#test/support/provider-process.ts';
import { type HostileMessage, request } from './hostile-message.ts';

export interface Answer {
  /** `4.00`, `reset` or `silence`. */
  readonly code: string;
  readonly diagnostic: string;
}

const ANSWER_MS = 5000;
/** Answers may overtake one another: one that is still to come has this moment after the probe's. */
const OVERTAKING_MS = 150;
/** Silence is believed when a later, harmless message has been answered. */
const PROBE = request('probe', '4.04', { method: 1, path: ['.well-known', 'probe'] });

export class HostilePeer {
  readonly #session: SecureSession;
  #messageId = 0;

  constructor(session: SecureSession) {
    this.#session = session;
  }

  static async of({ home, signalPort }: ProviderProcess): Promise<HostilePeer> {
    return new HostilePeer(
      await connectDtls({ host: '127.0.0.1', port: signalPort, ...demoCredentials(home) }),
    );
  }

  /** Sends without waiting. Returns the message id. */
  send(message: HostileMessage): number {
    const messageId = ++this.#messageId & 0xffff;
    this.#session.send(message.datagram(messageId, tokenOf(messageId)));
    return messageId;
  }

  /** Rejects when the session answers nothing at all any more. */
  probe(): Promise<Answer> {
    return this.ask(PROBE);
  }

  async ask(message: HostileMessage): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the session answers nothing at all')), ANSWER_MS);
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        this.#session.onMessage = undefined;
        resolve(answer);
      };
      this.#session.onMessage = (bytes) => {
        const decoded = decodeUdp(bytes);
        if (!decoded.ok) return;
        const { type, code, messageId, token, payload } = decoded.value;
        if (type === TYPE.reset && messageId === asked) done({ code: 'reset', diagnostic: '' });
        else if (code > 0 && isToken(token, asked))
          done({ code: formatCode(code), diagnostic: utf8Decode(payload) ?? '' });
        else if (code > 0 && isToken(token, probed))
          setTimeout(() => done({ code: 'silence', diagnostic: '' }), OVERTAKING_MS);
      };
      const asked = this.send(message);
      const probed = this.send(PROBE);
    });
  }

  close(): void {
    this.#session.close();
  }
}

const tokenOf = (messageId: number): Uint8Array => Uint8Array.of(0x70, messageId >> 8, messageId & 255, 7);
const isToken = (token: Uint8Array, messageId: number): boolean =>
  Buffer.compare(token, tokenOf(messageId)) === 0;
