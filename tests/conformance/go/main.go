// Reads a log with the code of Go's own transparency log client: signed notes, tiles, proofs. It knows nothing of ours
// but the layout of C2SP tlog-tiles. Arguments: the log's folder or its address (the environment has the TOKEN), its
// public key. Prints the size it has verified.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile: 256 hashes

type folder string

func (folder) Height() int                                { return height }
func (folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.read(fmt.Sprint(tile.L), tile.N, tile.W)
		if err != nil {
			return nil, err
		}
		all = append(all, data[:tile.W*tlog.HashSize])
	}
	return all, nil
}

// read gives a tile or bundle; a partial one that is gone is the beginning of the full one.
func (f folder) read(level string, number int64, width int) ([]byte, error) {
	path := fmt.Sprintf("%03d", number%1000)
	for number >= 1000 {
		number /= 1000
		path = fmt.Sprintf("x%03d/%s", number%1000, path)
	}
	full := "tile/" + level + "/" + path
	if width < 1<<height {
		if data, err := f.get(fmt.Sprintf("%s.p/%d", full, width)); err == nil {
			return data, nil
		}
	}
	return f.get(full)
}

func (f folder) get(name string) ([]byte, error) {
	if !strings.HasPrefix(string(f), "http://") {
		return os.ReadFile(filepath.Join(string(f), name))
	}
	request, err := http.NewRequest("GET", string(f)+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, response.Status)
	}
	return io.ReadAll(response.Body)
}

func (f folder) entries(size int64) ([][]byte, error) {
	var all [][]byte
	for number := int64(0); number<<height < size; number++ {
		width := min(size-number<<height, 1<<height)
		data, err := f.read("entries", number, int(width))
		if err != nil {
			return nil, err
		}
		for ; width > 0; width-- {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("bundle %d is cut short", number)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all, data = append(all, data[2:end]), data[end:]
		}
	}
	return all, nil
}

func tree(f folder, key string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	data, err := f.get("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("the checkpoint is of %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, err
}

func verify(f folder, key string) (int64, error) {
	signed, err := tree(f, key)
	if err != nil {
		return 0, err
	}
	hashes := tlog.TileHashReader(signed, f) // checks each tile it reads against the signed root
	entries, err := f.entries(signed.N)
	if err != nil {
		return 0, err
	}
	for index, entry := range entries {
		proof, err := tlog.ProveRecord(signed.N, int64(index), hashes)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, signed.N, signed.Hash, int64(index), tlog.RecordHash(entry)); err != nil {
			return 0, fmt.Errorf("leaf %d: %w", index, err)
		}
	}
	for size := int64(1); size <= signed.N; size += 37 {
		before, err := tlog.TreeHash(size, hashes)
		if err != nil {
			return 0, err
		}
		proof, err := tlog.ProveTree(signed.N, size, hashes)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckTree(proof, signed.N, signed.Hash, size, before); err != nil {
			return 0, fmt.Errorf("the tree of %d: %w", size, err)
		}
	}
	return signed.N, nil
}

func main() {
	size, err := verify(folder(os.Args[1]), os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(size)
}
