import { checkCertificatePair } from "../runtime/certificate_pair.ts";
import { CommandError } from "./command_error.ts";
import { readText } from "./read_text.ts";

/** A certificate chain and its key, from PEM files. @throws CommandError unless they can be read and belong together */
export function readTls(certPath: string, keyPath: string): { certPem: string; keyPem: string } {
  const tls = { certPem: readText(certPath), keyPem: readText(keyPath) };
  try {
    checkCertificatePair(tls);
  } catch (cause) {
    throw new CommandError(
      `Cannot use ${certPath} with ${keyPath}: wanted a certificate and its key, both PEM`,
      "openssl x509 -noout -pubkey -in CERT and openssl pkey -pubout -in KEY print the same when they belong together",
      { cause },
    );
  }
  return tls;
}
