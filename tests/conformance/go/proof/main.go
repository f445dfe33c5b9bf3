// Verifies a proof file with the code of torchwood, which knows nothing of ours but C2SP tlog-proof. Arguments: the
// file, the log's public key. Prints the leaf, which the file carries as its extra data.
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func verify(path, key string) ([]byte, error) {
	proof, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	leaf, err := torchwood.ProofExtraData(proof)
	if err != nil {
		return nil, err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
	return leaf, torchwood.VerifyProof(policy, tlog.RecordHash(leaf), proof)
}

func main() {
	leaf, err := verify(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(leaf))
}
