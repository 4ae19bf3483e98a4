// Placeholder until the schemas land: the union of JSON messages that are not requests or responses.
export type ControlMessage = { type: string };
