// Prints the completion scripts that kubectl 1.32 prints: cobra 1.8.1 generates them from the program's name alone.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	kubectl := &cobra.Command{Use: "kubectl"}
	var err error
	switch shell := os.Args[len(os.Args)-1]; shell {
	case "bash":
		err = kubectl.GenBashCompletionV2(os.Stdout, true)
	case "zsh":
		fmt.Print("#compdef kubectl\ncompdef _kubectl kubectl\n")
		err = kubectl.GenZshCompletion(os.Stdout)
	case "fish":
		err = kubectl.GenFishCompletion(os.Stdout, true)
	default:
		err = fmt.Errorf("no completion for %s", shell)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
