/** The test PKI as files, for peers that are programs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateAndKey } from '#adapters/pki/authority.ts';
import type { TestPki } from './pki.ts';

export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
}

export class PkiFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'dots-pki-'));
  readonly ca: string;
  readonly server: CredentialFiles;
  readonly client: CredentialFiles;

  constructor(pki: TestPki) {
    this.ca = this.write('ca.pem', pki.ca);
    this.server = this.credentials('server', pki.server);
    this.client = this.credentials('client', pki.client);
  }

  credentials(name: string, { certificate, key }: CertificateAndKey): CredentialFiles {
    return { certificate: this.write(`${name}.pem`, certificate), key: this.write(`${name}.key`, key) };
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
