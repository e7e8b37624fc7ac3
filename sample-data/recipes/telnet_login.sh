#!/bin/bash
# What telnetd starts: asks for a name and a password, and gives a few commands.
printf 'sw-plant-9 login: '
read -r name
stty -echo
printf 'Password: '
read -r word
stty echo
printf '\r\n'
if [ "$name:$word" != operator:line-one ]; then
    echo 'Login incorrect'
    exit 1
fi
echo 'Plant switch, release 3.2'
while printf 'sw-plant-9> ' && read -r line; do
    case $line in
        'show version') echo 'Release 3.2, 24 ports' ;;
        'show users') echo 'operator from 10.20.30.50' ;;
        reload) echo 'Not allowed' ;;
        exit) echo 'Good bye'; exit 0 ;;
        *) echo 'Unknown command' ;;
    esac
done
