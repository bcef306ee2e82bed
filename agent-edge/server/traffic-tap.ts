/** A session that tells of every message received: liveness counts acknowledgements and resets too (RFC 9132 §4.7). */
import type { SecureSession } from '#core/ports/secure-session.ts';

export function tapTraffic(session: SecureSession, onTraffic: () => void): SecureSession {
  return {
    transport: session.transport,
    remote: session.remote,
    credential: session.credential,
    resumed: session.resumed,
    maxPayload: session.maxPayload,
    send: (bytes) => session.send(bytes),
    close: () => session.close(),
    get onMessage() {
      return session.onMessage;
    },
    set onMessage(handler) {
      session.onMessage =
        handler === undefined
          ? undefined
          : (bytes) => {
              onTraffic();
              handler(bytes);
            };
    },
    get onClose() {
      return session.onClose;
    },
    set onClose(handler) {
      session.onClose = handler;
    },
  };
}
