// Package pipeline wires one stream's way: from the packets of an
// ingest.Stream through the Cutter to the packager, by way of a worker where
// something must be transcoded.
//
// Cutter decides where segments start. Pipeline is one stream's graph and its
// life. Manager holds all pipelines, answers the protocol servers (it is their
// ingest.Gate) and tells everyone else what there is. Bus carries Events.
package pipeline
