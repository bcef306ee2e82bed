/** `tocsin pki`: the certificates of this home. */

import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { identityOfCertificate } from '#adapters/pki/identity.ts';
import { homeOf } from '../home.ts';
import { OperatorError } from '../operator-error.ts';
import { addCommand, type JsonOption, print, table } from './command-line.ts';

export function pkiCommand(): Command {
  const pki = new Command('pki');
  addCommand(pki, 'show', 'every certificate: whose, until when, which identity', ['tocsin pki show']).action(
    (options: JsonOption) => {
      const home = homeOf(process.env);
      if (!existsSync(home.pki))
        throw new OperatorError(`${home.pki} is not there yet: the first tocsin serve makes it`);
      const files = [
        ...['ca.pem', 'server.pem'].map((name) => join(home.pki, name)),
        ...readdirSync(home.clients)
          .filter((name) => name.endsWith('.pem'))
          .map((name) => join(home.clients, name)),
      ];
      const shown = files.map((file) => {
        const pem = readFileSync(file, 'utf8');
        const { subject, validToDate } = new X509Certificate(pem);
        return { file, subject, validUntil: validToDate.toISOString(), identity: identityOfCertificate(pem) };
      });
      const rows = shown.map(({ file, subject, validUntil, identity }) => [
        subject,
        validUntil,
        identity,
        file,
      ]);
      print(options, shown, table([['SUBJECT', 'VALID UNTIL', 'IDENTITY', 'FILE'], ...rows]));
    },
  );
  return pki;
}
