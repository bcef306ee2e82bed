/** What /metrics shows: everything is counted elsewhere, here it gets its name. */
import type { DtlsListener } from '#adapters/dtls/server.ts';
import type { TlsListener } from '#adapters/tls/server.ts';
import type { SignalServer } from '#agent-edge/server/server.ts';
import type { Health } from './health.ts';
import type { Metric } from './metrics.ts';

export interface MetricSources {
  readonly signal: { readonly udp: DtlsListener; readonly tcp: TlsListener };
  readonly server: SignalServer;
  readonly health: Health;
}

type Samples = Metric['samples'];

export function providerMetrics({ signal, server, health }: MetricSources): readonly Metric[] {
  const stats = server.stats();
  const [udp, tcp] = [signal.udp.stats(), signal.tcp.stats()];
  const perTransport = (count: (listener: typeof udp | typeof tcp) => number): Samples => [
    { labels: { transport: 'udp' }, value: count(udp) },
    { labels: { transport: 'tcp' }, value: count(tcp) },
  ];
  return [
    gauge(
      'tocsin_connections',
      'Secured connections, by transport.',
      perTransport((one) => one.sessions),
    ),
    gauge(
      'tocsin_handshakes_pending',
      'Handshakes under way.',
      perTransport((one) => one.pending),
    ),
    counter(
      'tocsin_handshakes_total',
      'Handshakes begun.',
      perTransport((one) => one.handshakes),
    ),
    counter(
      'tocsin_handshakes_failed_total',
      'Handshakes that failed.',
      perTransport((one) => one.failed),
    ),
    counter(
      'tocsin_handshakes_resumed_total',
      'Sessions resumed by ticket.',
      perTransport((one) => one.resumed),
    ),
    counter(
      'tocsin_transport_dropped_total',
      'Datagrams or connections dropped.',
      perTransport((one) => one.dropped),
    ),
    counter(
      'tocsin_transport_faults_total',
      'Faults of our own, each a bug.',
      perTransport((one) => one.faults),
    ),
    gauge('tocsin_sessions', 'DOTS sessions, by state.', labelled('state', Object.entries(stats.sessions))),
    counter(
      'tocsin_sessions_refused_total',
      'Peers that are no registered client.',
      one(stats.sessionsRefused),
    ),
    counter('tocsin_sessions_lost_total', 'Sessions whose heartbeats ceased.', one(stats.sessionsLost)),
    counter('tocsin_requests_total', 'Requests, heartbeats left out.', one(stats.requests)),
    counter('tocsin_responses_total', 'Responses, by CoAP code.', labelled('code', [...stats.responses])),
    counter('tocsin_heartbeats_received_total', 'Heartbeats of clients.', one(stats.heartbeatsReceived)),
    counter('tocsin_heartbeats_sent_total', 'Heartbeats to clients.', one(stats.heartbeatsSent)),
    counter('tocsin_notifications_total', 'Notifications to observers.', one(stats.notifications)),
    counter('tocsin_signal_lost_total', 'Clients whose loss triggered mitigations.', one(stats.signalLost)),
    gauge('tocsin_observers', 'Observations under way.', one(stats.observers)),
    gauge('tocsin_commands_waiting', 'Commands not yet decided.', one(stats.commandsWaiting)),
    counter(
      'tocsin_part_failures_total',
      'Failures of background work, by part.',
      labelled(
        'part',
        health.parts.map((part) => [part, health.failures(part)] as const),
      ),
    ),
    gauge('process_resident_memory_bytes', 'Resident memory.', one(process.memoryUsage.rss())),
  ];
}

const one = (value: number): Samples => [{ value }];

const labelled = (name: string, values: readonly (readonly [string, number])[]): Samples =>
  values.map(([label, value]) => ({ labels: { [name]: label }, value }));

const gauge = (name: string, help: string, samples: Samples): Metric => ({
  name,
  help,
  type: 'gauge',
  samples,
});

const counter = (name: string, help: string, samples: Samples): Metric => ({
  name,
  help,
  type: 'counter',
  samples,
});
