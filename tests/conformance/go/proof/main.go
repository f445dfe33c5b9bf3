// Verifies a proof file with the code of torchwood, which knows nothing of ours but C2SP tlog-proof. Arguments: the
// file, the log's public key, and the keys of the witnesses that must have cosigned. Prints the leaf, which the file
// carries as its extra data.
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func verify(path, key string, witnesses []string) ([]byte, error) {
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
	needed := []torchwood.Policy{torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier)}
	for _, witness := range witnesses {
		cosigner, err := torchwood.NewCosignatureVerifier(witness)
		if err != nil {
			return nil, err
		}
		needed = append(needed, torchwood.SingleVerifierPolicy(cosigner))
	}
	return leaf, torchwood.VerifyProof(torchwood.ThresholdPolicy(len(needed), needed...), tlog.RecordHash(leaf), proof)
}

func main() {
	leaf, err := verify(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(leaf))
}
