import { createPrivateKey, X509Certificate } from "node:crypto";

/** @throws Error when either is no PEM or they do not belong together: better now than in every handshake. */
export function checkCertificatePair(tls: { certPem: string; keyPem: string }): void {
  const certificate = new X509Certificate(tls.certPem);
  if (!certificate.checkPrivateKey(createPrivateKey(tls.keyPem))) {
    throw new Error("Cannot use the TLS certificate as its key must belong to it: it belongs to another one");
  }
}
